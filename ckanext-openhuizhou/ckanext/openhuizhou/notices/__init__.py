"""Mail about runs: rows of ``openhuizhou_run_notice``, written when a run ends, sent by the scheduler."""
