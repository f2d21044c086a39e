#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image. netlab itself is in this folder; what students' programs
# need is installed here.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends python3
chmod +x /autograder/source/netlab
# A netlab that does not run here is found when the image is built, not when the first student submits.
/autograder/source/netlab --version
