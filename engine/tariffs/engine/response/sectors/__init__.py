"""Put sectors and domestic goods above products."""
