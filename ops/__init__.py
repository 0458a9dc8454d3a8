"""What operators run and watch: commands, configuration file, doctor, probes, metrics, the web server."""
