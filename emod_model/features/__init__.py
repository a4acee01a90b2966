"""Triple-domain features: temporal, spectral, spatial."""
