// A Socket.IO server for the benchmarks, which speaks the protocol of their other servers: it prints its address, answers
// each line of its stdin with a report in JSON, and ends with its stdin. Its argument names the middleware.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { authorize } from "@thream/socketio-jwt";
import { Server } from "socket.io";
import jwtAuth from "socketio-jwt-auth";

const secret = process.env.JWT_SECRET;

const middlewares = {
  none: { user: () => true },
  "socketio-jwt-auth": {
    check: jwtAuth.authenticate({ secret, algorithm: "HS256" }, (claims, done) => done(null, { name: claims.sub })),
    user: (socket) => socket.request.user?.name,
  },
  "@thream/socketio-jwt": {
    check: authorize({ secret, algorithms: ["HS256"], onAuthentication: (claims) => ({ name: claims.sub }) }),
    user: (socket) => socket.user?.name,
  },
};

const { check, user } = middlewares[process.argv[2]];
const http = createServer();
// Pings would make idle sockets less idle.
const io = new Server(http, { pingInterval: 3_600_000, serveClient: false });
if (check) io.use(check);

io.on("connection", (socket) => {
  socket.on("ask", (ack) => {
    if (user(socket)) ack("an answer");
  });
});

function report() {
  const cpu = process.cpuUsage();
  const microseconds = cpu.user + cpu.system;
  const memory = process.memoryUsage();

  return {
    live_bytes: memory.heapUsed + memory.external,
    resident_bytes: memory.rss,
    cpu_time: { secs: Math.floor(microseconds / 1e6), nanos: (microseconds % 1e6) * 1000 },
    alive_tasks: 0,
    sockets: io.of("/").sockets.size,
  };
}

http.listen(0, "127.0.0.1", () => {
  console.log(`127.0.0.1:${http.address().port}`);

  createInterface({ input: process.stdin })
    .on("line", (request) => {
      if (request === "collect") gc();
      console.log(JSON.stringify(report()));
    })
    .on("close", () => process.exit());
});
