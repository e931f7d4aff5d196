#!/usr/bin/env python3
"""A monitor that speaks HJ 212, written without any code of the product: its own framing, its own checksum.

    hj212_device.py PORT [--auto]

Standard input, one JSON object a line:
    {"send": "<data segment>", "crc": "standard" | "modbus" | "wrong", "split": bytes a write (0: all at once)}
    {"raw": "<hex>"}      bytes as they are
    {"close": true}       closes its side of the connection and goes on reading
    {"reset": true}       drops the connection
Standard output, one JSON object a line: {"segment": ..., "crcOk": ...} for each frame received, {"closed": true} at the end.

With --auto it answers the requests of the host as HJ 212-2017, appendix C, has them: 9011, data, 9012 (9013 for stops).
"""
import json
import os
import socket
import struct
import sys
import threading
import time


def crc_standard(data: bytes) -> int:
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _ in range(8):
            low = register & 1
            register >>= 1
            if low:
                register ^= 0xA001
    return register


def crc_modbus(data: bytes) -> int:
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return register


def frame(segment: str, crc: str = "standard") -> bytes:
    data = segment.encode("utf-8")
    value = crc_modbus(data) if crc == "modbus" else crc_standard(data)
    if crc == "wrong":
        value ^= 0x0100
    return b"##%04d%s%04X\r\n" % (len(data), data, value)


class Device:
    def __init__(self, port: int, auto: bool) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.auto = auto
        self.lock = threading.Lock()
        self.clock = "20260101000000"

    def write(self, data: bytes, split: int = 0) -> None:
        with self.lock:
            if split == 0:
                self.socket.sendall(data)
                return
            for at in range(0, len(data), split):
                self.socket.sendall(data[at : at + split])
                time.sleep(0.0005)

    def say(self, **what: object) -> None:
        print(json.dumps(what, ensure_ascii=False), flush=True)

    def read(self) -> None:
        buffer = b""
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                self.say(closed=True)
                return
            buffer += data
            while len(buffer) >= 12 and len(buffer) >= 12 + int(buffer[2:6]):
                length = int(buffer[2:6])
                segment, stated = buffer[6 : 6 + length], buffer[6 + length : 10 + length]
                ok = buffer[:2] == b"##" and buffer[10 + length : 12 + length] == b"\r\n"
                fits = [n for n, f in (("standard", crc_standard), ("modbus", crc_modbus)) if b"%04X" % f(segment) == stated]
                buffer = buffer[12 + length :]
                self.say(segment=segment.decode(), crcOk=ok and bool(fits), crc=fits[0] if fits else None)
                if self.auto:
                    self.answer(segment.decode())

    def answer(self, segment: str) -> None:
        head, _, inside = segment.partition("CP=&&")
        field = dict(part.split("=", 1) for part in head.split(";") if "=" in part)
        given = dict(part.split("=", 1) for part in inside.rstrip("&").split(";") if "=" in part)
        cn, flag = field["CN"], int(field["Flag"]) & ~3
        if cn.startswith("9"):
            return
        common = f"PW={field['PW']};MN={field['MN']};Flag={flag}"
        reply = lambda number, cp: self.write(frame(f"QN={field['QN']};ST=91;CN={number};{common};CP=&&{cp}&&"))
        data = lambda cp: self.write(frame(f"QN={field['QN']};ST={field['ST']};CN={cn};{common};CP=&&{cp}&&"))
        if cn in ("2012", "2022"):
            reply("9013", "")
            return
        reply("9011", "QnRtn=1")
        if cn == "1011":
            data(f"SystemTime={self.clock}")
        elif cn == "1012":
            self.clock = given["SystemTime"]
        elif cn == "1061":
            data("RtdInterval=30")
        elif cn in ("2051", "2061", "2031"):
            for minute in range(2):
                data(f"DataTime={given['BeginTime'][:10]}{minute:02d}00;a34002-Avg={40 + minute}.5,a34002-Flag=N")
        reply("9012", "ExeRtn=1")


def main() -> None:
    device = Device(int(sys.argv[1]), "--auto" in sys.argv)
    reader = threading.Thread(target=device.read, daemon=True)
    reader.start()
    for line in sys.stdin:
        order = json.loads(line)
        if "send" in order:
            device.write(frame(order["send"], order.get("crc", "standard")), order.get("split", 0))
        elif "raw" in order:
            device.write(bytes.fromhex(order["raw"]))
        elif "close" in order:
            device.socket.shutdown(socket.SHUT_WR)
        elif "reset" in order:
            device.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os._exit(0)
    reader.join(5)


main()
