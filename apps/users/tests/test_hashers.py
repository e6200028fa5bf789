"""What password hashing costs with the parameters of production."""

import os
import subprocess
import sys

from django.conf import settings

# Logins of existing and of unknown accounts at once, in a process with nothing else in it. All
# memory is in use long before the last one is answered, so the test waits for the first few.
HASH_AT_ONCE = """
import os, threading
import django
django.setup()
from django.contrib.auth.hashers import check_password, make_password

stored = [make_password("right"), "!"]
print(stored[0])
gate, done = threading.Barrier(200), threading.Semaphore(0)

def log_in(number):
    gate.wait()
    check_password("wrong", stored[number % 2])
    done.release()

for number in range(200):
    threading.Thread(target=log_in, args=[number]).start()
for _ in range(40):
    done.acquire()
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(status["VmHWM"].split()[0], flush=True)
os._exit(0)
"""


def test_two_hundred_logins_at_once_stay_below_500_mib_together() -> None:
    told = subprocess.run(
        [sys.executable, "-c", HASH_AT_ONCE],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "ecommerce.settings"},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout.split()

    assert told[0].startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert int(told[1]) < 500 * 1024
