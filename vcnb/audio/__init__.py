"""What a recording is: values, reading, writing."""
