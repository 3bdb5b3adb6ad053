"""How often a person may have the portal ask somebody else's server: counted in Valkey, by user and minute."""

from __future__ import annotations

import logging
import time
from typing import Final

import ckan.plugins.toolkit as tk
from ckan.lib.redis import connect_to_redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

_WINDOW: Final = 60


def count_or_refuse(what: str, user_id: str, most: int) -> None:
    """Count one more, for this user in this minute. Without Valkey nothing is counted and nothing refused.

    Raises:
        ValidationError: there were ``most`` already; says how long to wait.
    """
    minute, second = divmod(int(time.time()), _WINDOW)
    key = f"openhuizhou:{tk.config['ckan.site_id']}:{what}:{user_id}:{minute}"
    try:
        with connect_to_redis().pipeline() as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, 2 * _WINDOW)
            count = pipeline.execute()[0]
    except (RedisError, OSError) as error:
        log.warning("Requests of users are not counted: %s", type(error).__name__)
        return
    if count > most:
        sentence = tk._("{most} tests and previews a minute are allowed; wait {seconds} seconds")
        raise tk.ValidationError({"message": [sentence.format(most=most, seconds=_WINDOW - second)]})
