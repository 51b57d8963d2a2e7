package main

import (
	"fmt"
	"os"

	"dormouse/guest-agent/containers"
	"dormouse/guest-agent/port"
	"dormouse/guest-agent/wake"
)

func openWakes() (*port.Stream, error) {
	device, err := port.Find(wakeName, portLimit)
	if err != nil {
		return nil, err
	}
	return port.OpenStream(device)
}

// serveWakes applies one wake message after the other and answers each. It always waits in a read, so that in a restored
// guest it is the first thing of the agent to run. A stream that makes no sense is the end of the agent, and of the VM.
func serveWakes(stream *port.Stream) {
	for {
		message, err := wake.ReadMessage(stream)
		if err != nil {
			fmt.Fprintln(os.Stderr, "dormouse: guest agent: wake port:", err)
			os.Exit(1)
		}
		answer := wake.Applied
		if err := message.Apply(containers.IdentityDir); err != nil {
			fmt.Println("dormouse: wake:", err)
			answer = wake.Refused
		}
		if _, err := stream.Write([]byte{answer}); err != nil {
			fmt.Fprintln(os.Stderr, "dormouse: guest agent: wake port:", err)
			os.Exit(1)
		}
	}
}
