package main

import (
	"bufio"
	"fmt"
	"os"

	"dormouse/guest-agent/port"
	"dormouse/guest-agent/wake"
)

// A whole message, so that one read takes it all.
const wakeBufferBytes = 4096

func openWakes() (*port.Stream, error) {
	device, err := port.Find(wakeName, portLimit)
	if err != nil {
		return nil, err
	}
	return port.OpenStream(device)
}

// serveWakes does what one message after the other says and answers each. It always waits in a read, so that in a restored
// guest it is the first thing of the agent to run. A stream that makes no sense is the end of the agent, and of the VM.
func serveWakes(stream *port.Stream, guest *wake.Guest, quiesce func()) {
	incoming := bufio.NewReaderSize(stream, wakeBufferBytes)
	for {
		message, err := wake.ReadMessage(incoming)
		if err == nil {
			_, err = stream.Write([]byte{obey(message, guest, quiesce)})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "dormouse: guest agent: wake port:", err)
			os.Exit(1)
		}
	}
}

func obey(message wake.Message, guest *wake.Guest, quiesce func()) byte {
	var err error
	if message.Kind == wake.Quiesce {
		quiesce()
		err = guest.Prepare()
	} else {
		err = guest.Apply(message)
	}
	if err != nil {
		fmt.Println("dormouse: wake port:", err)
		return wake.Refused
	}
	return wake.Done
}
