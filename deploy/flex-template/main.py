"""What the launcher of a Flex template runs; see `beam_jobs.dataflow.template_launcher`."""

import sys

from beam_jobs.dataflow.template_launcher import main

if __name__ == "__main__":
    sys.exit(main())
