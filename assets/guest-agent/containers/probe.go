package containers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"dormouse/guest-agent/agentpb"
)

const (
	// A probe that comes before the server listens must not wait long for the next.
	defaultProbeInterval = 25 * time.Millisecond
	// One attempt may not use up the whole limit: a server that accepts and hangs at first may answer the next.
	probeAttempt = 2 * time.Second
	// How often to look whether anybody listens yet, which costs two system calls: until then a start only waits for it.
	// The pause grows with the wait, so that the look that finds it is late by a small share of what the wait took.
	listenCheckInterval = 5 * time.Millisecond
	listenCheckShare    = 32
	// How often to look whether crun has started the program of a container without a probe.
	startCheckInterval = 5 * time.Millisecond
)

// awaitReady returns nil when the container is ready, or a failure.
func (c *container) awaitReady(ctx context.Context) error {
	interval, attempt := c.readiness()
	began := time.Now()
	var last error
	for {
		err := attempt(ctx)
		if err == nil && c.running() {
			c.ready.Store(true)
			return nil
		}
		// An attempt that the deadline cut off says less than the one before.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-c.exited:
			return c.exitFailure()
		case <-ctx.Done():
			return &failure{code: "probe-failed", container: c.name, cause: fmt.Errorf("not ready in time: %w", last)}
		case <-time.After(pauseAfter(err, interval, time.Since(began))):
		}
	}
}

// pauseAfter is the interval that was asked for, once there is a server that was asked.
func pauseAfter(attempt error, interval, waited time.Duration) time.Duration {
	if !errors.Is(attempt, unix.ECONNREFUSED) {
		return interval
	}
	return min(interval, max(listenCheckInterval, waited/listenCheckShare))
}

func (c *container) readiness() (time.Duration, func(context.Context) error) {
	probe := c.spec.GetProbe()
	if probe.GetPort() == 0 {
		return startCheckInterval, func(context.Context) error {
			if c.executes() {
				return nil
			}
			return fmt.Errorf("its program did not start")
		}
	}
	interval := time.Duration(probe.GetIntervalMs()) * time.Millisecond
	if interval == 0 {
		interval = defaultProbeInterval
	}
	return interval, func(ctx context.Context) error { return runProbe(ctx, probe) }
}

func runProbe(ctx context.Context, probe *agentpb.Probe) error {
	ctx, cancel := context.WithTimeout(ctx, probeAttempt)
	defer cancel()
	connection, err := dialGuest(ctx, probe.GetPort())
	if err != nil {
		return err
	}
	defer connection.Close()
	if probe.GetHttpPath() == "" {
		return nil
	}
	return askOnce(connection, probe.GetPort(), probe.GetHttpPath())
}
