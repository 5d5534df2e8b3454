// RUN: %quant-opt %s --quant-quantize-graph -split-input-file -verify-diagnostics
// RUN: %quant-opt %s --quant-rewrite-dyadic -split-input-file -verify-diagnostics
// RUN: %quant-opt %s --quant-expose-values -split-input-file -verify-diagnostics
// RUN: %quant-opt %s --quant-apply-ranges -split-input-file -verify-diagnostics

// The program is the one public function of the module.
// expected-error @below {{module has no single entry function}}
module @two {
  func.func @f() { return }
  func.func @g() { return }
}

// -----

// expected-error @below {{module has no single entry function}}
module @hidden {
  func.func private @helper() { return }
  func.func private @declared()
}
