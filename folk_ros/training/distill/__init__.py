"""Label-guided distillation: teacher files become a student that answers words."""
