"""Signals over time: Fourier transforms, spectra, sounds."""
