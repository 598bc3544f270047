#!/usr/bin/env bash
# Prints the commands that build the images and the Flex templates, and that launch jobs from them.
# Nothing is run. `make template PROJECT=... REGION=... BUCKET=... REPOSITORY=...` fills them in;
# VARIANT=gpu is for GPUs, MODEL=models/my-model bakes that model in, TAG names the images.
set -euo pipefail

: "${PROJECT:=PROJECT}" "${REGION:=REGION}" "${BUCKET:=BUCKET}" "${REPOSITORY:=REPOSITORY}"
: "${VARIANT:=cpu}" "${MODEL:=model/pretrained}"
: "${TAG:=$(git rev-parse --short HEAD 2>/dev/null || echo TAG)}"
image="$REGION-docker.pkg.dev/$PROJECT/$REPOSITORY/review-scoring:$TAG-$VARIANT"
account="review-scoring-worker@$PROJECT.iam.gserviceaccount.com"

files=(
    "input=gs://$BUCKET/reviews/*.jsonl.gz,gs://$BUCKET/reviews/*.csv"
    id_field=review_id
    keep_fields=stars:int64
    "output=gs://$BUCKET/scores"
    output_format=parquet
    overwrite=true
    model=/opt/model
)
if [[ $VARIANT == gpu ]]; then
    files+=(accelerator=l4)
fi
messages=(
    "input_subscription=projects/$PROJECT/subscriptions/reviews"
    id_attribute=review_id
    "output=gs://$BUCKET/live"
    "output_topic=projects/$PROJECT/topics/scores"
    "rejected_topic=projects/$PROJECT/topics/rejected"
    window=5m
    deduplicate=10m
    model=/opt/model
)

# Parameters are divided by ~, so that one of them may hold commas.
joined() {
    local IFS="~"
    echo "^~^$*"
}

cat <<END
# Build and push both images.
gcloud builds submit . --project=$PROJECT --region=$REGION \\
    --gcs-source-staging-dir=gs://$BUCKET/source --config=deploy/cloudbuild.yaml \\
    --substitutions=_IMAGE=$image,_VARIANT=$VARIANT,_MODEL=$MODEL

# Make the templates.
gcloud dataflow flex-template build gs://$BUCKET/templates/batch.json --project=$PROJECT \\
    --image=$image-launcher --sdk-language=PYTHON \\
    --metadata-file=deploy/flex-template/batch.json
gcloud dataflow flex-template build gs://$BUCKET/templates/streaming.json --project=$PROJECT \\
    --image=$image-launcher --sdk-language=PYTHON \\
    --metadata-file=deploy/flex-template/streaming.json

# Score files.
gcloud dataflow flex-template run score-reviews --project=$PROJECT --region=$REGION \\
    --template-file-gcs-location=gs://$BUCKET/templates/batch.json \\
    --service-account-email=$account \\
    --staging-location=gs://$BUCKET/staging --temp-location=gs://$BUCKET/temp \\
    --disable-public-ips --max-workers=20 \\
    --parameters='$(joined "${files[@]}")'

# Score messages.
gcloud dataflow flex-template run score-messages --project=$PROJECT --region=$REGION \\
    --template-file-gcs-location=gs://$BUCKET/templates/streaming.json \\
    --service-account-email=$account \\
    --staging-location=gs://$BUCKET/staging --temp-location=gs://$BUCKET/temp \\
    --disable-public-ips --enable-streaming-engine --max-workers=20 \\
    --parameters='$(joined "${messages[@]}")'
END
