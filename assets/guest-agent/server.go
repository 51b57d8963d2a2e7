package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"dormouse/guest-agent/agentpb"
	"dormouse/guest-agent/containers"
	"dormouse/guest-agent/inspect"
)

// server answers the host; each method is one call of shared/proto/agent.proto.
type server struct {
	agentpb.UnimplementedAgentServer
	supervisor *containers.Supervisor
	version    string
	quiescing  sync.Mutex
	garbage    garbage
	sessions   sessions
}

func (s *server) Hello(context.Context, *agentpb.HelloRequest) (*agentpb.HelloReply, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return nil, internal(err)
	}
	bootID, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, internal(err)
	}
	return &agentpb.HelloReply{AgentVersion: s.version, KernelRelease: unix.ByteSliceToString(name.Release[:]),
		BootId: strings.TrimSpace(string(bootID)), Arch: runtime.GOARCH}, nil
}

func (s *server) Start(ctx context.Context, request *agentpb.StartRequest) (*agentpb.StartReply, error) {
	failure := s.supervisor.Start(ctx, request)
	if failure != nil {
		failure.Dump = inspect.Guest(s.supervisor, 0)
		return &agentpb.StartReply{Failure: failure}, nil
	}
	// What starting left behind would be shipped with every snapshot that touches its pages.
	debug.FreeOSMemory()
	return &agentpb.StartReply{}, nil
}

func (s *server) Quiesce(context.Context, *agentpb.QuiesceRequest) (*agentpb.QuiesceReply, error) {
	s.quiesce()
	return &agentpb.QuiesceReply{}, nil
}

// The agent has no timers of its own, and the host asks one thing at a time: after this, nothing is under way.
func (s *server) quiesce() {
	s.quiescing.Lock()
	defer s.quiescing.Unlock()
	s.sessions.end()
	s.supervisor.Journal.EndFollowers()
	unix.Sync()
	s.garbage.collectIfWorthwhile()
}

func (s *server) Inspect(_ context.Context, request *agentpb.InspectRequest) (*agentpb.InspectReply, error) {
	return inspect.Guest(s.supervisor, int(request.GetTailLines())), nil
}

func internal(err error) error { return status.Error(codes.Internal, err.Error()) }
