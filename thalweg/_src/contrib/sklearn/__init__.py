"""Estimators with scikit-learn's verbs and rules, each with a graph and a session of its own. Needs scikit-learn, an extra."""
