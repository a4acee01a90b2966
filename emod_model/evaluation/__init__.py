"""What a model is worth: protocols, figures, and what it is held against."""
