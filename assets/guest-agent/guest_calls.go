package main

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"dormouse/guest-agent/agentpb"
	"dormouse/guest-agent/execute"
	"dormouse/guest-agent/files"
)

// codeKey of the trailer says which code of the platform's error table a refusal has.
const codeKey = "dormouse-code"

// messageBytes bounds what one message carries, so that several calls share the channel fairly.
const messageBytes = 32 << 10

func refusal(stream grpc.ServerStream, code string, err error) error {
	stream.SetTrailer(metadata.Pairs(codeKey, code))
	return status.Error(codes.FailedPrecondition, err.Error())
}

func (s *server) Logs(request *agentpb.LogsRequest, stream grpc.ServerStreamingServer[agentpb.LogsReply]) error {
	send := func(lines []*agentpb.LogLine) error { return sendLines(lines, stream.Send) }
	if request.GetFollow() {
		return s.supervisor.Journal.Follow(stream.Context(), send)
	}
	return send(s.supervisor.Journal.Read().Next())
}

func sendLines(lines []*agentpb.LogLine, send func(*agentpb.LogsReply) error) error {
	for start, size, end := 0, 0, 0; start < len(lines); start = end {
		for size = 0; end < len(lines) && (end == start || size < messageBytes); end++ {
			size += len(lines[end].GetText())
		}
		if err := send(&agentpb.LogsReply{Lines: lines[start:end]}); err != nil {
			return err
		}
	}
	return nil
}

// Exec runs a program until it ends, or until the host ends the call.
func (s *server) Exec(stream grpc.BidiStreamingServer[agentpb.ExecRequest, agentpb.ExecReply]) error {
	ctx, leave := s.sessions.enter(stream.Context())
	defer leave()
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	start := first.GetStart()
	if start == nil || len(start.GetCommand()) == 0 {
		return refusal(stream, "invalid-input", errors.New("the first message must say what to run"))
	}
	target, err := s.supervisor.Target(start.GetContainer())
	if err != nil {
		return refusal(stream, "container-not-found", err)
	}
	replies := &replies{stream: stream, moved: s.sessions.count}
	output := execute.Output{Normal: replies.writer(asOutput), Error: replies.writer(asErrorOutput)}
	program, err := execute.Start(ctx, target, start, output)
	if err != nil {
		return internal(err)
	}
	go takeInput(stream, program)
	code, err := program.Wait()
	var failed *execute.Error
	switch {
	case errors.As(err, &failed):
		return refusal(stream, "exec-failed", failed)
	case err != nil:
		return internal(err)
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	}
	return replies.send(&agentpb.ExecReply{Part: &agentpb.ExecReply_ExitCode{ExitCode: int32(code)}})
}

// takeInput ends with the call. What the program does not take any more is dropped.
func takeInput(stream grpc.BidiStreamingServer[agentpb.ExecRequest, agentpb.ExecReply], program *execute.Program) {
	for {
		message, err := stream.Recv()
		if err != nil {
			_ = program.EndInput()
			return
		}
		switch part := message.GetPart().(type) {
		case *agentpb.ExecRequest_Input:
			_ = program.Write(part.Input)
		case *agentpb.ExecRequest_InputEnded:
			_ = program.EndInput()
		case *agentpb.ExecRequest_Resize:
			_ = program.Resize(part.Resize)
		}
	}
}

// replies lets both outputs of a program share its call.
type replies struct {
	mutex  sync.Mutex
	stream grpc.BidiStreamingServer[agentpb.ExecRequest, agentpb.ExecReply]
	moved  func(int)
}

func (r *replies) send(reply *agentpb.ExecReply) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.stream.Send(reply)
}

type writer func([]byte) (int, error)

func (w writer) Write(chunk []byte) (int, error) { return w(chunk) }

func (r *replies) writer(wrap func([]byte) *agentpb.ExecReply) io.Writer {
	return writer(func(chunk []byte) (int, error) {
		r.moved(len(chunk))
		return len(chunk), r.send(wrap(chunk))
	})
}

func asOutput(chunk []byte) *agentpb.ExecReply {
	return &agentpb.ExecReply{Part: &agentpb.ExecReply_Output{Output: chunk}}
}

func asErrorOutput(chunk []byte) *agentpb.ExecReply {
	return &agentpb.ExecReply{Part: &agentpb.ExecReply_ErrorOutput{ErrorOutput: chunk}}
}

func (s *server) rootOf(ctx context.Context, stream grpc.ServerStream, container string) (*files.Root, error) {
	target, err := s.supervisor.Target(container)
	if err != nil {
		return nil, refusal(stream, "container-not-found", err)
	}
	root, err := files.OfProcess(target.Pid, files.Owner{UID: target.UID, GID: target.GID})
	if err != nil {
		return nil, internal(err)
	}
	return root, ctx.Err()
}

// ReadFile says what stands at the path, then hands it over.
func (s *server) ReadFile(request *agentpb.ReadFileRequest, stream grpc.ServerStreamingServer[agentpb.ReadFileReply]) error {
	ctx, leave := s.sessions.enter(stream.Context())
	defer leave()
	root, err := s.rootOf(ctx, stream, request.GetContainer())
	if err != nil {
		return err
	}
	defer root.Close()
	opened, err := root.OpenForRead(request.GetPath())
	if err != nil {
		return fileRefusal(stream, err)
	}
	defer opened.Close()
	facts := opened.Facts
	err = stream.Send(&agentpb.ReadFileReply{Part: &agentpb.ReadFileReply_Facts{Facts: &agentpb.FileFacts{
		SizeBytes: facts.SizeBytes, Mode: facts.Mode, ModifiedUnixNanos: facts.ModifiedUnixNanos, IsFolder: facts.IsFolder}}})
	if err != nil {
		return err
	}
	return fileRefusal(stream, opened.CopyTo(writer(func(chunk []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		s.sessions.count(len(chunk))
		return len(chunk), stream.Send(&agentpb.ReadFileReply{Part: &agentpb.ReadFileReply_Chunk{Chunk: chunk}})
	})))
}

// WriteFile takes a file, or an archive to unpack.
func (s *server) WriteFile(stream grpc.ClientStreamingServer[agentpb.WriteFileRequest, agentpb.WriteFileReply]) error {
	ctx, leave := s.sessions.enter(stream.Context())
	defer leave()
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	start := first.GetStart()
	if start == nil {
		return refusal(stream, "invalid-input", errors.New("the first message must say where to write"))
	}
	root, err := s.rootOf(ctx, stream, start.GetContainer())
	if err != nil {
		return err
	}
	defer root.Close()
	content := &content{ctx: ctx, stream: stream, moved: s.sessions.count}
	written, err := uint64(0), error(nil)
	if start.GetIsArchive() {
		written, err = root.Unpack(start.GetPath(), content)
	} else {
		written, err = root.Write(start.GetPath(), start.GetMode(), content)
	}
	if err != nil {
		return fileRefusal(stream, err)
	}
	return stream.SendAndClose(&agentpb.WriteFileReply{WrittenBytes: written})
}

// content reads the chunks of a WriteFile call.
type content struct {
	ctx    context.Context
	stream grpc.ClientStreamingServer[agentpb.WriteFileRequest, agentpb.WriteFileReply]
	rest   []byte
	moved  func(int)
}

func (c *content) Read(into []byte) (int, error) {
	for len(c.rest) == 0 {
		if c.ctx.Err() != nil {
			return 0, c.ctx.Err()
		}
		message, err := c.stream.Recv()
		if err != nil {
			return 0, err
		}
		c.rest = message.GetChunk()
		c.moved(len(c.rest))
	}
	count := copy(into, c.rest)
	c.rest = c.rest[count:]
	return count, nil
}

func fileRefusal(stream grpc.ServerStream, err error) error {
	var refused *files.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refusal(stream, refused.Code, refused)
	case errors.Is(err, context.Canceled) || status.Code(err) != codes.Unknown:
		return err
	}
	return internal(err)
}
