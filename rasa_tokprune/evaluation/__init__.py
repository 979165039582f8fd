"""Offline measurements. They write raw data files; tables and plots only read those."""
