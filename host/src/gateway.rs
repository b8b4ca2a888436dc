//! The agent gateway: mutual TLS, WebSocket, enrolment.
