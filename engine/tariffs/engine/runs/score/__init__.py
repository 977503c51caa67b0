"""Score a law over fiscal years of the United States, beside projections of CBO."""
