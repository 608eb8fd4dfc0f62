"""How the C library keeps memory while networks run."""

import ctypes
import mmap
from pathlib import Path

# <malloc.h>
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> None:
    """Have glibc reuse the large blocks that a network allocates and frees layer by layer.

    By default every block above 32 MB is mapped from the kernel and given back, and the kernel clears it page
    by page each time: measured on two cores, that took half of a forward pass. The price is that a process
    keeps the size of its largest batch. With another C library nothing happens.
    """
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(M_TOP_PAD, 64 * 2**20)


def release_mapped(address: int, size: int) -> None:
    """Give back the memory that holds a part of a mapped file, in bytes.

    It is read again if it is used again.
    """
    page = mmap.PAGESIZE
    begin, end = -(-address // page) * page, (address + size) // page * page  # whole pages inside the part
    if end > begin:
        try:
            ctypes.CDLL(None).madvise(
                ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), mmap.MADV_DONTNEED
            )
        except (OSError, AttributeError):
            return


def available_bytes() -> int:
    """Return the memory that can be taken without swapping; 4 GB where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 4_000_000_000
