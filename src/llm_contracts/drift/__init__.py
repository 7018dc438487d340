"""What has changed at a provider since it was recorded, by the shape of its answers."""
