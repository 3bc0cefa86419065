"""The form of every component: initialize, update, predict, tune."""
