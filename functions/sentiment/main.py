"""Sentiment: called by the scheduler, refreshes the oldest sentiments within the day's budget."""

import functions_framework
from flask import Request

from withearth import bootstrap
from withearth.flow.sentiment import refresh_sentiment
from withearth.handlers.schedule import Answer, handle_schedule


@functions_framework.http
def sentiment(request: Request) -> Answer:
    """Refresh what is due."""
    return handle_schedule(bootstrap.runtime_of(request.environ), refresh_sentiment)
