package containers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"dormouse/guest-agent/agentpb"
)

const (
	// A probe that comes before the server listens must not wait long for the next.
	defaultProbeInterval = 25 * time.Millisecond
	// One attempt may not use up the whole limit: a server that accepts and hangs at first may answer the next.
	probeAttempt = 2 * time.Second
	// How often to look whether crun has started the program of a container without a probe.
	startCheckInterval = 5 * time.Millisecond
)

// awaitReady returns nil when the container is ready, or a failure.
func (c *container) awaitReady(ctx context.Context) error {
	interval, attempt := c.readiness()
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
		case <-time.After(interval):
		}
	}
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
	target := fmt.Sprintf("127.0.0.1:%d", probe.GetPort())
	if probe.GetHttpPath() == "" {
		return probeTCP(ctx, target)
	}
	return probeHTTP(ctx, "http://"+target+probe.GetHttpPath())
}

func probeTCP(ctx context.Context, target string) error {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return err
	}
	return connection.Close()
}

func probeHTTP(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// No idle connection may ride along in the golden snapshot, and a redirect is an answer.
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode > 399 {
		return fmt.Errorf("GET %s answered %s", url, answer.Status)
	}
	return nil
}
