#!/bin/bash
# Source ROS and the workspace, then run what was asked for.
set -e
source /ws/install/setup.bash
exec "$@"
