package client

import "go.uber.org/mock/gomock"

// Reset makes the mock that of another test, so that an application can be put together once and used by many tests, each
// with a controller and expectations of its own. Call it before the first expectation.
func (m *MockClientWithResponsesInterface) Reset(ctrl *gomock.Controller) {
	m.ctrl = ctrl
	m.recorder = &MockClientWithResponsesInterfaceMockRecorder{m}
}

// Reset makes the mock that of another test.
func (m *MockClientInterface) Reset(ctrl *gomock.Controller) {
	m.ctrl = ctrl
	m.recorder = &MockClientInterfaceMockRecorder{m}
}
