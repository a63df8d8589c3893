"""How good a model is: measures, baselines, intervals, and the reload gate."""
