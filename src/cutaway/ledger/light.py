"""Operators whose work is linear in the number of elements (times a logarithm for sorting), so that it is not counted.

Only those that torch does not already tag as views, pointwise or reductions. Names without the underscores around them
and without "_backward".
"""

_MADE = """
    arange bernoulli empty empty_like empty_permuted empty_strided exponential eye fill full full_like fused_dropout
    linspace multinomial native_dropout normal ones ones_like rand rand_like randint randint_like randn randn_like
    random randperm scalar_tensor tril_indices triu_indices uniform zero zeros zeros_like
"""
_MOVED = """
    cat col2im constant_pad_nd copy detach diag_embed embedding embedding_bag embedding_bag_forward_only
    embedding_dense flip gather grid_sampler_2d im2col index index_add index_copy index_fill index_put index_select
    item lift lift_fresh local_scalar_dense masked_scatter masked_select nonzero pack_padded_sequence pixel_shuffle
    pixel_unshuffle reflection_pad1d reflection_pad2d repeat repeat_interleave replication_pad1d replication_pad2d
    resize roll scatter scatter_add scatter_reduce select select_scatter set slice slice_scatter split
    split_with_sizes_copy stack to_copy tril triu unfold unsafe_index unsafe_split unsafe_split_with_sizes
    unsafe_view upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d
    upsample_nearest3d where
"""
_REDUCED = """
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool2d addr
    amp_foreach_non_finite_check_and_unscale avg_pool2d avg_pool3d bincount cummax cummin cumprod cumsum equal
    floor_divide fused_sdp_choice glu has_same_storage_numel histc is_all_true is_any_true is_same_size
    linalg_check_errors linalg_vector_norm logcumsumexp max_pool2d_with_indices max_pool3d_with_indices nll_loss
    nll_loss2d nll_loss2d_forward nll_loss_forward softplus var var_mean weight_norm_interface
"""
_NORMALISED = """
    batch_norm_with_update cudnn_batch_norm fused_rms_norm log_softmax log_softmax_backward_data miopen_batch_norm
    native_batch_norm native_batch_norm_legit native_batch_norm_legit_no_training native_group_norm native_layer_norm
    rms_norm safe_softmax softmax softmax_backward_data thnn_fused_gru_cell thnn_fused_lstm_cell
    thnn_fused_lstm_cell_backward_impl
"""
_SORTED = """
    argsort isin kthvalue median mode searchsorted sort topk unique unique2 unique_consecutive
"""

_SPARSE = """
    coalesce coalesced convert_indices_from_coo_to_csr convert_indices_from_csr_to_coo dense_dim efficientzerotensor
    is_coalesced nnz sparse_compressed_tensor_unsafe sparse_compressed_tensor_with_dims sparse_coo_tensor_unsafe
    sparse_coo_tensor_with_dims sparse_coo_tensor_with_dims_and_tensors sparse_dim sparse_log_softmax sparse_mask
    sparse_mask_projection sparse_softmax sparse_sum sparse_sum_backward to_dense to_sparse to_sparse_bsc to_sparse_bsr
    to_sparse_csc to_sparse_csr validate_sparse_compressed_tensor_args validate_sparse_coo_tensor_args
"""
_UNTAGGED = """
    add bucketize convert_element_type div mul neg sub
"""

LIGHT = frozenset(f"{_MADE} {_MOVED} {_REDUCED} {_NORMALISED} {_SORTED} {_SPARSE} {_UNTAGGED}".split())
