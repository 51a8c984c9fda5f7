"""The paper exchange: a matching engine that keeps real books, and the exchange's own wire face over it."""
