"""Join, leave, confirm, help by mail: a surface above the stages."""
