"""What `folk benchmark` measures: one module per figure or group of figures."""
