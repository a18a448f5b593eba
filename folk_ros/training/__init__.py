"""The offline half: scenes, teacher, distillation and evaluation. Robots do not need it."""
