"""Never connects, and does not read its stdin."""
import time

time.sleep(600)
