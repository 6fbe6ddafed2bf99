"""The main job from nothing: play a set of events, or real files, and show what staff would see."""
