"""The device side of ADB (what adbd is on a phone), for real adb servers and clients to talk to.

No ready-made one exists. Behaviour follows AOSP packages/modules/adb (daemon/shell_service.cpp,
daemon/file_sync_service.cpp, protocol.txt); the faults are what cables, users and full disks do.
"""
