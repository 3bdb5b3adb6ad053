"""Gunicorn's settings in the container. nginx stands in front: it limits, compresses, caches and logs."""

import os

bind = os.environ.get("BIND", "0.0.0.0:5000")
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 30
keepalive = 5
preload_app = True
control_socket_disable = True
# A worker ends after so many requests, not all at once: what leaks is given back.
max_requests = 5000
max_requests_jitter = 500
# The heartbeat file must not lie on a slow disk; the root file system is read-only anyway.
worker_tmp_dir = "/dev/shm"
# Only nginx, in the network of this compose project, reaches the port.
forwarded_allow_ips = "*"
