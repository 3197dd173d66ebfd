"""What `watchbill demo` plays with: a roster, alerts and a catalogue that work on any day."""
