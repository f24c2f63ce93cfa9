"""What Celery's beat starts, how often, and after how long a start is void."""

from __future__ import annotations

from config import env

# How often lists are made anew and it is looked whether to train.
BEAT_EVERY_S = env.number("BEAT_EVERY_S", default=60, minimum=1, maximum=3600)
CELERY_BEAT_SCHEDULE = {
    "refresh-recommendations": {
        "task": "recommendations.tasks.refresh_recommendations_task",
        "schedule": float(BEAT_EVERY_S),
        "options": {"expires": 0.9 * BEAT_EVERY_S},
    },
    "retrain-when-due": {
        "task": "recommendations.tasks.retrain_when_due_task",
        "schedule": float(BEAT_EVERY_S),
        "options": {"expires": 0.9 * BEAT_EVERY_S},
    },
    "trending-windows": {
        "task": "recommendations.tasks.trending_windows_task",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
    "read-experiments": {
        "task": "recommendations.tasks.read_experiments_task",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
    "expire-feedback": {
        "task": "recommendations.tasks.expire_feedback_task",
        "schedule": 600.0,
        "options": {"expires": 590},
    },
    "forget-due": {
        "task": "recommendations.tasks.forget_due_task",
        "schedule": 3600.0,
        "options": {"expires": 3500},
    },
    "check-drift": {
        "task": "recommendations.tasks.check_drift_task",
        "schedule": 3600.0,
        "options": {"expires": 3500},
    },
    "train-due-sources": {
        "task": "recommendations.tasks.train_due_sources_task",
        "schedule": 600.0,
        "options": {"expires": 590},
    },
    "train-ratings": {
        "task": "recommendations.tasks.train_ratings_when_due_task",
        "schedule": 600.0,
        "options": {"expires": 590},
    },
    "build-features": {
        "task": "recommendations.tasks.build_features_task",
        "schedule": 6 * 3600.0,
        "options": {"expires": 6 * 3600 - 60},
    },
    "tidy-item-vectors": {
        "task": "recommendations.tasks.tidy_item_vectors_task",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "roll-up": {
        "task": "dashboard.tasks.roll_up_task",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
    "taste-clusters": {
        "task": "dashboard.tasks.find_clusters_task",
        "schedule": 6 * 3600.0,
        "options": {"expires": 6 * 3600 - 60},
    },
    # TMDB's terms: nothing older than six months. Refreshed from day 150 where there is a key,
    # dropped at day 180 where that did not work.
    "keep-tmdb-data-fresh": {
        "task": "catalog.tasks.keep_tmdb_fresh_task",
        "schedule": 3600.0,
        "options": {"expires": 3500},
    },
    # Looks first (two queries); embeds where films are new or their texts changed.
    "embed-changed-films": {
        "task": "catalog.tasks.embed_changed_films_task",
        "schedule": 120.0,
        "options": {"expires": 110},
    },
    # Sessions, cache rows and log-in tries that have had their time.
    "tidy-accounts": {
        "task": "accounts.tasks.tidy_accounts_task",
        "schedule": 3600.0,
        "options": {"expires": 3500},
    },
    "sweep-visitors": {
        "task": "accounts.tasks.sweep_visitors_task",
        "schedule": 24 * 3600.0,
        "options": {"expires": 23 * 3600},
    },
    # Answers kept for an Idempotency-Key end after a day.
    "sweep-kept-answers": {
        "task": "accounts.tasks.sweep_kept_answers_task",
        "schedule": 3600.0,
        "options": {"expires": 3500},
    },
    # Imports and exports whose message was lost with the broker, or whose worker died.
    "resume-work": {
        "task": "feedback.tasks.resume_work_task",
        "schedule": 30.0,
        "options": {"expires": 25},
    },
    "sweep-work": {
        "task": "feedback.tasks.sweep_work_task",
        "schedule": 3600.0,
        "options": {"expires": 3500},
    },
    # Runs whose message was lost with the broker, or whose worker died.
    "resume-enrichment": {
        "task": "catalog.tasks.resume_enrichment_task",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
}
