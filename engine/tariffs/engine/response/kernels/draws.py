"""Kernels of the draws: a counter-based generator, and normals from uniforms.

A draw's number is a function of its key alone, in integers until the last step, so it depends on no thread, chunk,
row or scenario. The generator is the finaliser of splitmix64 over the words of the key.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S12 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)
_UNIT = 2.0**-52
_HALF = 2.0**-53


@jit
def mixed(state: np.uint64, word: np.uint64) -> np.uint64:
    """Update the hash state of a key with one word."""
    z = (state ^ word) + _STEP
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    return np.uint64(z ^ (z >> _S31))


@jit
def uniform_of(word: np.uint64) -> float:
    """Convert the upper 52 bits of a word to a uniform of (0, 1); with 53 the largest would round to 1."""
    return float(word >> _S12) * _UNIT + _HALF


@jit
def normal_of(p: float) -> float:
    """Compute quantile p of the standard normal: Wichura (1988), algorithm AS 241, PPND16; exact to about 1e-16."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        above = 2.5090809287301226727e3
        above = above * r + 3.3430575583588128105e4
        above = above * r + 6.7265770927008700853e4
        above = above * r + 4.5921953931549871457e4
        above = above * r + 1.3731693765509461125e4
        above = above * r + 1.9715909503065514427e3
        above = above * r + 1.3314166789178437745e2
        above = above * r + 3.3871328727963666080e0
        below = 5.2264952788528545610e3
        below = below * r + 2.8729085735721942674e4
        below = below * r + 3.9307895800092710610e4
        below = below * r + 2.1213794301586595867e4
        below = below * r + 5.3941960214247511077e3
        below = below * r + 6.8718700749205790830e2
        below = below * r + 4.2313330701600911252e1
        return q * above / (below * r + 1.0)
    r = np.sqrt(-np.log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        r -= 1.6
        above = 7.74545014278341407640e-4
        above = above * r + 2.27238449892691845833e-2
        above = above * r + 2.41780725177450611770e-1
        above = above * r + 1.27045825245236838258e0
        above = above * r + 3.64784832476320460504e0
        above = above * r + 5.76949722146069140550e0
        above = above * r + 4.63033784615654529590e0
        above = above * r + 1.42343711074968357734e0
        below = 1.05075007164441684324e-9
        below = below * r + 5.47593808499534494600e-4
        below = below * r + 1.51986665636164571966e-2
        below = below * r + 1.48103976427480074590e-1
        below = below * r + 6.89767334985100004550e-1
        below = below * r + 1.67638483018380384940e0
        below = below * r + 2.05319162663775882187e0
    else:
        r -= 5.0
        above = 2.01033439929228813265e-7
        above = above * r + 2.71155556874348757815e-5
        above = above * r + 1.24266094738807843860e-3
        above = above * r + 2.65321895265761230930e-2
        above = above * r + 2.96560571828504891230e-1
        above = above * r + 1.78482653991729133580e0
        above = above * r + 5.46378491116411436990e0
        above = above * r + 6.65790464350110377720e0
        below = 2.04426310338993978564e-15
        below = below * r + 1.42151175831644588870e-7
        below = below * r + 1.84631831751005468180e-5
        below = below * r + 7.86869131145613259100e-4
        below = below * r + 1.48753612908506148525e-2
        below = below * r + 1.36929880922735805310e-1
        below = below * r + 5.99832206555887937690e-1
    found = float(above / (below * r + 1.0))
    return -found if q < 0.0 else found


@jit
def normals(uniforms: Floats, out: Floats) -> None:
    """Write the normal quantile of each of `uniforms` into `out`, both flat."""
    for i in range(uniforms.size):
        out[i] = normal_of(uniforms[i])


@jit
def product_normals(state: np.uint64, products: Words, out: Floats) -> None:
    """Draw one normal per product, keyed by the hash `state` of the draw and the product's word."""
    for k in range(products.size):
        out[k] = normal_of(uniform_of(mixed(state, products[k])))
