"""Run `folk` as `python -m folk_ros.cli`."""

import sys

from folk_ros.cli.main import main

sys.exit(main())
