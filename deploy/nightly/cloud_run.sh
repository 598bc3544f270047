#!/usr/bin/env bash
# The nightly run without Airflow: Cloud Scheduler starts a Cloud Run job, which submits a Dataflow
# job for the day before and waits for it. Run it once to set up, with the variables below. With a
# new IMAGE run it again: it changes the Cloud Run job, for launcher and workers, and then stops
# with an error at the schedule, which exists already.
#
# A retry or a second start does no harm: days whose input, model and options have not changed are
# left alone (--skip_unchanged), and a run that was broken off is cleared away and made again. While
# a job of the same --job_name is active in the region, a launch ends with 2 and deletes nothing:
# keep the name.
# Late files: --days 3 looks at the two days before, too, and scores a day again if its files
# changed. One that hasn't changed fails no other night because of its rejections.
set -euo pipefail

: "${PROJECT:?}" "${REGION:?}" "${BUCKET:?}" "${IMAGE:?the image of the workers}"
: "${CHANNEL:?a notification channel of Cloud Monitoring, projects/.../notificationChannels/...}"
launcher="review-scoring-launcher@$PROJECT.iam.gserviceaccount.com"
worker="review-scoring-worker@$PROJECT.iam.gserviceaccount.com"
scheduler="review-scoring-scheduler@$PROJECT.iam.gserviceaccount.com"

arguments=(
    --runner=DataflowRunner
    "--project=$PROJECT"
    "--region=$REGION"
    --job_name=nightly-scores
    "--sdk_container_image=$IMAGE"
    "--service_account_email=$worker"
    "--staging_location=gs://$BUCKET/staging"
    "--temp_location=gs://$BUCKET/temp"
    --no_use_public_ips
    --max_num_workers=20
    "--input=gs://$BUCKET/reviews/dt={date}/*"
    "--output=gs://$BUCKET/scores/dt={date}"
    --output_format=parquet
    --id_field=review_id
    --model=/opt/model
    --date=yesterday
    --days=3
    --skip_unchanged
    --quiet
    --log_format=json
)

# The task waits for Dataflow, hence the long timeout (10 minutes are the default). It fails, and
# with it the execution, unless score-reviews exits with 0.
gcloud run jobs deploy nightly-scores --project="$PROJECT" --region="$REGION" \
    --image="$IMAGE" --command=score-reviews --service-account="$launcher" \
    --cpu=1 --memory=4Gi --task-timeout=12h --max-retries=1 \
    --args="^~^$(IFS="~" && echo "${arguments[*]}")"

# At 02:00 UTC, since --date counts days in UTC.
gcloud scheduler jobs create http nightly-scores --project="$PROJECT" --location="$REGION" \
    --schedule="0 2 * * *" --time-zone=Etc/UTC --http-method=POST \
    --uri="https://run.googleapis.com/v2/projects/$PROJECT/locations/$REGION/jobs/nightly-scores:run" \
    --oauth-service-account-email="$scheduler"

# Mail to the channel when an execution fails.
gcloud alpha monitoring policies create --project="$PROJECT" \
    --notification-channels="$CHANNEL" --display-name="Nightly scores failed" --combiner=OR \
    --condition-display-name="An execution of nightly-scores failed" --if="> 0" --duration=0s \
    --condition-filter='resource.type="cloud_run_job" AND resource.labels.job_name="nightly-scores" AND metric.type="run.googleapis.com/job/completed_execution_count" AND metric.labels.result="failed"' \
    --aggregation='{"alignmentPeriod": "300s", "perSeriesAligner": "ALIGN_SUM"}'
