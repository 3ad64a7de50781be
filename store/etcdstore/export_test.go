package etcdstore

import "time"

// SetClock has s take the time from clock.
func (s *SharedStore) SetClock(clock func() time.Time) { s.clock = clock }
