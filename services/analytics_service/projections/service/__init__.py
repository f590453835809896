"""Use cases of the projection: `batch` folds records, `projector` keeps what waits between."""
