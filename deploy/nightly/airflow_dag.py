"""The nightly run under Airflow (Cloud Composer): score, wait for the manifest, load.

The Cloud Run job of `cloud_run.sh` does the scoring; its schedule isn't needed then. Every task may
be repeated: the first leaves days alone that have not changed, the last replaces a day's partition.
While a job of the same `--job_name` is active the first fails and deletes nothing: keep the name.
Files that came late change a day of the two before; its scores are made and loaded again.

With a new image change `IMAGE`, and run `cloud_run.sh` again: both use the same one.
"""

import datetime

from airflow import DAG
from airflow.providers.google.cloud.operators.cloud_run import CloudRunExecuteJobOperator
from airflow.providers.google.cloud.sensors.gcs import GCSObjectExistenceSensor
from airflow.providers.google.cloud.transfers.gcs_to_bigquery import GCSToBigQueryOperator

PROJECT, REGION, BUCKET = "my-project", "europe-west4", "my-bucket"
IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/my-repository/review-scoring:1a2b3c4-cpu"
TABLE = f"{PROJECT}.reviews.scores"
DAYS = 3


def day(days_before: int, form: str = "ds") -> str:
    """A day before that of the run, as in 2026-11-21, once Airflow has filled it in.

    `ds` would be yesterday in Airflow 2 and today in Airflow 3; the end of the interval is the
    time of the run in both.
    """
    return f"{{{{ (data_interval_end - macros.timedelta(days={days_before})) | {form} }}}}"


ARGUMENTS = [
    "--runner=DataflowRunner",
    f"--project={PROJECT}",
    f"--region={REGION}",
    "--job_name=nightly-scores",
    f"--sdk_container_image={IMAGE}",
    f"--service_account_email=review-scoring-worker@{PROJECT}.iam.gserviceaccount.com",
    f"--staging_location=gs://{BUCKET}/staging",
    f"--temp_location=gs://{BUCKET}/temp",
    "--no_use_public_ips",
    "--max_num_workers=20",
    f"--input=gs://{BUCKET}/reviews/dt={{date}}/*",
    f"--output=gs://{BUCKET}/scores/dt={{date}}",
    "--output_format=parquet",
    "--id_field=review_id",
    "--model=/opt/model",
    f"--date={day(1)}",
    f"--days={DAYS}",
    "--skip_unchanged",
    "--quiet",
    "--log_format=json",
]

with DAG(
    dag_id="nightly_scores",
    schedule="0 2 * * *",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=10)},
) as dag:
    score = CloudRunExecuteJobOperator(
        task_id="score",
        project_id=PROJECT,
        region=REGION,
        job_name="nightly-scores",
        overrides={"container_overrides": [{"args": ARGUMENTS}]},
        deferrable=True,
    )
    for days_before in range(1, DAYS + 1):
        manifest = GCSObjectExistenceSensor(
            task_id=f"manifest_{days_before}",
            bucket=BUCKET,
            object=f"scores/dt={day(days_before)}/manifest.json",
            timeout=600,
            # A day before the last one may have had no reviews, and then has no scores.
            soft_fail=days_before > 1,
        )
        load = GCSToBigQueryOperator(
            task_id=f"load_{days_before}",
            bucket=BUCKET,
            source_objects=[f"scores/dt={day(days_before)}/scores/*.parquet"],
            destination_project_dataset_table=f"{TABLE}${day(days_before, 'ds_nodash')}",
            source_format="PARQUET",
            write_disposition="WRITE_TRUNCATE",
            time_partitioning={"type": "DAY"},
            autodetect=True,
        )
        score >> manifest >> load
