"""The Qt dashboard: shows and commands emod_rt, computes nothing."""
