"""Every child forks on, in a session of its own, without a pause; they stop by themselves after 30 seconds."""
import os
import time
from common import listener

sock = listener()
end = time.time() + 30
while time.time() < end:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
