"""Run `folk` as `python -m folk_ros.cli`."""

import sys

from folk_ros.cli.entry import main

if __name__ == '__main__':
    sys.exit(main())
