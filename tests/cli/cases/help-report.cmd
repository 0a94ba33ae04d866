wavecast report --help
