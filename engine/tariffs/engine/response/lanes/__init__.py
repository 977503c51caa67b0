"""Solve nested CES demand for many laws or elasticities side by side."""
