"""The learner: training and using prompts with scikit-learn's habits, built of all that lies below."""
